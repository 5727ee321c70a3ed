/** A value in four digits. */
export function valueText(value: number): string {
  const magnitude = Math.abs(value);
  const isPlain = magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1e6);
  const text = isPlain ? String(Number(value.toPrecision(4))) : value.toExponential(2);
  return text.replaceAll("-", "−");
}

/** A number of iterations. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

/** A time in its two largest units: `2 h 5 min`. */
export function timeText(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${countText(hours)} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${seconds < 10 ? seconds.toFixed(1) : whole} s`;
}

/** A round time beside an axis, in one unit or two: `20 min`, `2 h 30 min`. */
export function tickText(seconds: number): string {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]] as const;
  let rest = Number(seconds.toPrecision(9));
  const parts: string[] = [];
  for (const [length, name] of units) {
    const count = name === "s" ? rest : Math.floor(rest / length);
    if (count > 0 && parts.length < 2) parts.push(`${Number(count.toPrecision(6))} ${name}`);
    rest -= count * length;
  }
  return parts.join(" ") || "0";
}
