import type { Page as Tab } from "playwright-core";

export const colorOf = (tab: Tab, selector: string): Promise<string> =>
  tab.evaluate<string>(`getComputedStyle(document.querySelector(${JSON.stringify(selector)})).color`);

export async function box(tab: Tab, selector: string) {
  const found = await tab.locator(selector).first().boundingBox();
  if (found === null) throw new Error(`'${selector}' is not on the page`);
  return found;
}

/** Texts of the scene, steps and heads of charts that lie over each other or leave the screen. */
export function overlaps(tab: Tab): Promise<string[]> {
  return tab.evaluate<string[]>(`(() => {
    const texts = "#scene text, #phases .step, .chart-head > *, header h1, header #status, .numbers dd, .act-title";
    const all = [...document.querySelectorAll(texts)]
      .map((element) => ({ text: element.textContent, box: element.getBoundingClientRect() }))
      .filter(({ text, box }) => text !== "" && box.width > 0);
    const over = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3;
    return [
      ...all.filter(({ box }) => box.left < 0 || box.right > innerWidth).map(({ text }) => text + " is cut off"),
      ...all.flatMap((one, index) =>
        all.slice(index + 1).filter(({ box }) => over(one.box, box)).map(({ text }) => one.text + " / " + text),
      ),
    ];
  })()`);
}

/** The size of the smallest text on the screen, in pixels: a scene that shrinks shrinks its texts. */
export function smallestText(tab: Tab): Promise<number> {
  return tab.evaluate<number>(`(() => {
    const scale = document.querySelector("#scene svg").getScreenCTM().a;
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    return Math.min(
      ...[...document.querySelectorAll("#scene text")].map((text) => scale * size(text)),
      ...[...document.querySelectorAll("p, li, span, dt, time")].map(size),
    );
  })()`);
}

/** The contrast of an element's text against the first background behind it, as WCAG 2.2 defines it. */
export function contrast(tab: Tab, selector: string): Promise<number> {
  return tab.evaluate<number>(`(() => {
    const luminance = (css) => {
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.fillStyle = css;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
        .map((value) => value / 255)
        .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const element = document.querySelector(${JSON.stringify(selector)});
    let behind = element;
    while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    const [dark, light] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
      .map(luminance)
      .toSorted((one, two) => one - two);
    return (light + 0.05) / (dark + 0.05);
  })()`);
}
