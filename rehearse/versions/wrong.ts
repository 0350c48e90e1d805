import { z } from "zod";
import { run } from "../../app/src/run.ts";
import { wrapWeather } from "./wrap-weather.ts";

const measured = z.looseObject({ temperatureCelsius: z.number() });

/** A version with a bug that no health check sees: it answers in degrees Fahrenheit and calls them Celsius. */
await run({
  tools: wrapWeather(async (answer) => {
    const result = await answer();
    const data = measured.safeParse(result.structuredContent);
    if (!data.success) return result;
    const fahrenheit = Math.round((data.data.temperatureCelsius * 1.8 + 32) * 10) / 10;
    return { ...result, structuredContent: { ...data.data, temperatureCelsius: fahrenheit } };
  }),
});
