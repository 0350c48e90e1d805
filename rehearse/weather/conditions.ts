/** What the stand-in says of the weather at a place; the units are Open-Meteo's defaults. */
export interface Conditions {
  readonly temperatureCelsius: number;
  readonly windSpeedKmh: number;
  /** WMO weather interpretation code. */
  readonly weatherCode: number;
}

/**
 * The weather at a place, the same at every call: warm at the equator, cooler towards the poles, and a little different at every
 * longitude. So whoever asks for a city knows the right answer, and can tell it from the answer for another city or in
 * another unit.
 */
export function conditionsAt(latitude: number, longitude: number): Conditions {
  const wave = Math.sin(latitude * 12.9898 + longitude * 78.233);
  return {
    temperatureCelsius: tenths(34 - Math.abs(latitude) * 0.3 + wave * 2),
    windSpeedKmh: tenths(14 + wave * 9),
    weatherCode: WEATHER_CODES[Math.floor((wave + 1) * 3.49)] ?? 0,
  };
}

const tenths = (value: number): number => Math.round(value * 10) / 10;

const WEATHER_CODES = [0, 1, 2, 3, 45, 61, 80];
