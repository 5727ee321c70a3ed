/** A fraction as a percentage, with two decimals below ten. */
export function percent(fraction: number): string {
  const value = 100 * fraction;
  return `${value.toFixed(Math.abs(value) < 10 ? 2 : 1)} %`;
}
