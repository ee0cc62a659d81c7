/**
 * Whether one number is a whole multiple of another, by the decimal digits that they are written with: 0.3 is one of
 * 0.1, which their binary forms deny.
 */
export function isMultiple(value: number, of: number): boolean {
  const [digits, exponent] = decimal(value);
  const [ofDigits, ofExponent] = decimal(of);
  const least = Math.min(exponent, ofExponent);
  const scaled = (n: bigint, by: number) => n * 10n ** BigInt(by - least);
  return scaled(digits, exponent) % scaled(ofDigits, ofExponent) === 0n;
}

function decimal(value: number): [digits: bigint, exponent: number] {
  const [number = "", power = "0"] = String(value).split("e");
  const [whole = "", fraction = ""] = number.split(".");
  return [BigInt(whole + fraction), Number(power) - fraction.length];
}
