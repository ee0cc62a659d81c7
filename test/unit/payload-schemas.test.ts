import { expect, test } from "bun:test";
import { createPayloadSchemas } from "../../src/services/payload-schemas.ts";

test("who asks while a list is read shares the next one, which has what was committed before", async () => {
  let committed = 0;
  let reads = 0;
  const gate = Promise.withResolvers<void>();
  const schemas = createPayloadSchemas({
    eventTypes: {
      listValidating: async () => {
        const rows = Array.from({ length: committed }, (_, n) => ({
          orgId: "o",
          name: `t${n}`,
          version: "1",
        }));
        reads += 1;
        if (reads === 1) await gate.promise;
        return rows;
      },
      findValidating: async () => null,
    },
  });
  const first = schemas.refresh();
  await Promise.resolve().then(() => {});
  const later = Array.from({ length: 20 }, () => {
    committed += 1;
    return schemas.refresh();
  });
  gate.resolve();
  await Promise.all([first, ...later]);
  expect(reads).toBe(2);
  expect(schemas.find("o", "t19")).not.toBeNull();
});

test("after a list that could not be read comes another", async () => {
  let away = true;
  const schemas = createPayloadSchemas({
    eventTypes: {
      listValidating: async () => {
        if (away) throw new Error("away");
        return [{ orgId: "o", name: "t", version: "1" }];
      },
      findValidating: async () => null,
    },
  });
  await expect(schemas.refresh()).rejects.toThrow("away");
  away = false;
  await schemas.refresh();
  expect(schemas.find("o", "t")).not.toBeNull();
});
