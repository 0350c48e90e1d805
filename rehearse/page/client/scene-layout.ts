import type { Color } from "../../../environment/color.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where the parts of the scene are, in the units of its view box. */
export interface SceneLayout {
  readonly name: "wide" | "narrow";
  readonly viewBox: string;
  readonly clients: Box;
  readonly weather: Box;
  readonly cards: Readonly<Record<Color, Box>>;
  /** The switch: its center, and the direction of its lever for each color, in degrees clockwise from the right. */
  readonly hub: { readonly x: number; readonly y: number; readonly angle: Readonly<Record<Color, number>> };
  /** Where the texts of the switch start, or what they are centered on. */
  readonly hubTexts: { readonly x: number; readonly y: readonly number[]; readonly anchor: "middle" | "start" };
  readonly trunk: string;
  readonly lanes: Readonly<Record<Color, string>>;
  readonly weatherLanes: Readonly<Record<Color, string>>;
}

/** From left to right: clients, the switch, the colors, the weather API. */
export const WIDE: SceneLayout = {
  name: "wide",
  viewBox: "0 0 760 250",
  clients: { x: 6, y: 74, width: 146, height: 102 },
  weather: { x: 628, y: 74, width: 126, height: 102 },
  cards: {
    blue: { x: 366, y: 8, width: 212, height: 108 },
    green: { x: 366, y: 134, width: 212, height: 108 },
  },
  hub: { x: 226, y: 125, angle: { blue: -34, green: 34 } },
  hubTexts: { x: 226, y: [86, 176, 192], anchor: "middle" },
  trunk: "M 152 125 H 226",
  lanes: {
    blue: "M 226 125 C 270 95 300 62 366 62",
    green: "M 226 125 C 270 155 300 188 366 188",
  },
  weatherLanes: {
    blue: "M 578 62 C 606 62 598 116 628 116",
    green: "M 578 188 C 606 188 598 134 628 134",
  },
};

/** From top to bottom, for a phone: the same parts, with texts of the same size on the screen. */
export const NARROW: SceneLayout = {
  name: "narrow",
  viewBox: "0 0 352 440",
  clients: { x: 4, y: 4, width: 344, height: 66 },
  weather: { x: 4, y: 370, width: 344, height: 66 },
  cards: {
    blue: { x: 4, y: 196, width: 168, height: 138 },
    green: { x: 180, y: 196, width: 168, height: 138 },
  },
  hub: { x: 176, y: 124, angle: { blue: 135, green: 45 } },
  hubTexts: { x: 216, y: [108, 125, 142], anchor: "start" },
  trunk: "M 176 70 V 124",
  lanes: {
    blue: "M 176 124 C 140 160 88 156 88 196",
    green: "M 176 124 C 212 160 264 156 264 196",
  },
  weatherLanes: {
    blue: "M 88 334 C 88 356 166 348 166 370",
    green: "M 264 334 C 264 356 186 348 186 370",
  },
};
