import { median } from "./numbers.ts";

/** One measurement: figures by name. */
export type Sample = Record<string, number>;

/** Takes each measurement in turn, round after round, so that what the machine does meanwhile hits them all alike. */
export async function alternate<Name extends string>(
  rounds: number,
  measures: Record<Name, () => Promise<Sample>>,
): Promise<Record<Name, Sample>> {
  const names = Object.keys(measures) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>;
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of names) {
      const sample = await measures[name]();
      samples[name].push(sample);
      console.error(`  ${round}/${rounds} ${name}: ${sampleText(sample)}`);
    }
  }
  return Object.fromEntries(names.map((name) => [name, medians(samples[name])])) as Record<Name, Sample>;
}

const medians = (samples: Sample[]): Sample =>
  Object.fromEntries(
    Object.keys(samples[0] ?? {}).map((key) => [
      key,
      median(samples.map((sample) => sample[key] ?? Number.NaN)),
    ]),
  );

const sampleText = (sample: Sample): string =>
  Object.entries(sample)
    .map(([key, value]) => `${key} ${value.toLocaleString("en", { maximumFractionDigits: 2 })}`)
    .join(", ");
