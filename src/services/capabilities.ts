/** What an application's owner may do in the portal; the names are those of the Svix API. */
export const capabilities = [
  "ViewBase",
  "ViewEndpointSecret",
  "ManageEndpointSecret",
  "ManageTransformations",
  "CreateAttempts",
  "ManageEndpoint",
] as const;
export type Capability = (typeof capabilities)[number];

const contained: Partial<Record<Capability, readonly Capability[]>> = {
  ManageEndpointSecret: ["ViewEndpointSecret"],
  ManageEndpoint: ["ManageEndpointSecret", "ViewEndpointSecret"],
};
const readOnlyCapabilities: readonly Capability[] = ["ViewBase", "ViewEndpointSecret"];

/** What a token is given: everything unless told, and of a read-only one no more than looking. */
export function grantedCapabilities(input: {
  capabilities?: readonly Capability[] | null | undefined;
  readOnly?: boolean | null | undefined;
}): Capability[] {
  const asked = input.capabilities ?? (input.readOnly ? ["ViewBase"] : capabilities);
  return asked.filter((one) => !input.readOnly || readOnlyCapabilities.includes(one));
}

/** What a token's claim stands for, with what each of them contains. A token without the claim may do everything. */
export function claimedCapabilities(claim: unknown): readonly Capability[] {
  if (claim === undefined) return capabilities;
  const named = Array.isArray(claim) ? claim : [];
  const held = new Set(capabilities.filter((one) => named.includes(one)));
  for (const one of [...held]) for (const more of contained[one] ?? []) held.add(more);
  return [...held];
}
