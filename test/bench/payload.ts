/**
 * The message that is sent: about 350 bytes of JSON, with the moment of sending, the run and a number at places that
 * never move, so that the generator can write them into bytes that are ready, and the receiver read them unparsed.
 */
const field = (before: { at: number; length: number }, name: string, length: number) => ({
  at: before.at + before.length + `","${name}":"`.length,
  length,
});
const at = { at: '{"at":"'.length, length: 17 };
const run = field(at, "run", 6);
const number = field(run, "n", 9);
export const payloadFields = { at, run, number };

const filler = JSON.stringify({
  id: "in_1PqYkX2eZvKYlo2C",
  object: "invoice",
  customer: { id: "cus_QhT5v8", email: "ada@example.com", country: "GB" },
  currency: "gbp",
  total: 12_50,
  lines: [1, 2, 3].map((line) => ({ line, description: "A month", amount: 4_16 })),
}).slice(1);

export const stampText = (ms: number): string => ms.toFixed(3).padStart(at.length, "0");
export const runText = (value: number): string => String(value).padStart(run.length, "0");
export const numberText = (value: number): string => String(value).padStart(number.length, "0");

export const payloadText = (ms: number, ofRun: number, n: number): string =>
  `{"at":"${stampText(ms)}","run":"${runText(ofRun)}","n":"${numberText(n)}",${filler}`;

/** The request body of a message with that payload, and where the payload starts in it. */
export function messageBody(ofRun: number): { text: string; payloadAt: number } {
  const head = '{"eventType":"invoice.paid","payload":';
  return { text: `${head}${payloadText(0, ofRun, 0)}}`, payloadAt: head.length };
}
