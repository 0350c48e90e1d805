export { COLORS, other, type Color } from "../environments/color.ts";
