/** One complete, independently running copy of the app. */
export type Color = "blue" | "green";

export const COLORS = ["blue", "green"] as const satisfies readonly Color[];

export function other(color: Color): Color {
  return color === "blue" ? "green" : "blue";
}
