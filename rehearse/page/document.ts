/** What differs between the page that is served and the report that is kept. */
export interface DocumentParts {
  readonly title: string;
  /** What stands at the top of the page. @default - the title */
  readonly heading?: string;
  readonly bodyClass: string;
  /** Markup for the end of the head: styles and a policy. */
  readonly head: string;
  /** Markup for the end of the body: what follows the page, and scripts. */
  readonly tail: string;
}

/** The skeleton that the client fills. It says what every part is, for eyes and for screen readers. */
export function htmlDocument({ title, heading = title, bodyClass, head, tail }: DocumentParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
${head}
</head>
<body class="${bodyClass}">
<div id="replay" role="group" aria-label="Replay"></div>
<div class="page">
  <header>
    <div>
      <h1>${escape(heading)}</h1>
      <p id="status" role="status">connecting</p>
    </div>
    <ol id="acts" aria-label="Scenarios"></ol>
    <dl class="numbers">
      <div><dt>calls</dt><dd id="calls">0</dd></div>
      <div><dt>failed</dt><dd id="failures">0</dd></div>
      <div><dt>elapsed</dt><dd id="clock">0:00.0</dd></div>
    </dl>
  </header>
  <main class="left">
    <section id="scene" class="panel" aria-label="Traffic"></section>
    <div class="charts">
      ${chart("rate", "Calls per second")}
      ${chart("p95", "p95 for clients")}
      ${evidence("failed", "Failed calls in the bake")}
      ${evidence("slow", "Slow calls in the bake")}
    </div>
  </main>
  <div class="right">
    <section id="act" class="panel" aria-labelledby="act-title" data-about="release">
      <h2 id="act-title"></h2>
      <p id="act-story"></p>
      <div id="about-release">
        <ol id="phases" aria-label="Phases of the release"></ol>
        <h3 id="verify-title">Gates before traffic moves</h3>
        <ol id="gates-verify" class="gates" aria-labelledby="verify-title"></ol>
        <h3 id="bake-title">Gates under live traffic</h3>
        <ol id="gates-bake" class="gates" aria-labelledby="bake-title"></ol>
      </div>
      <div id="about-dependency">
        <h3 id="breakers-title">Circuit breakers of the live pods</h3>
        <ol id="breakers" class="gates" aria-labelledby="breakers-title"></ol>
        <h3 id="answers-title">Answers that callers get now</h3>
        <ol id="answers" class="gates" aria-labelledby="answers-title"></ol>
      </div>
      <p id="result" role="status"></p>
    </section>
    <section class="panel log-panel" aria-labelledby="log-title">
      <h2 id="log-title">Event log</h2>
      <ol id="log" role="log" aria-labelledby="log-title" tabindex="0"></ol>
    </section>
  </div>
</div>
${tail}
</body>
</html>
`;
}

const chart = (id: string, title: string): string => `<section class="panel chart" aria-labelledby="${id}-title">
        <div class="chart-head">
          <h2 id="${id}-title">${title}</h2>
          <div class="legend">
            <span class="blue">blue <b id="${id}-blue">–</b></span>
            <span class="green">green <b id="${id}-green">–</b></span>
          </div>
        </div>
        <div id="${id}-chart" class="chart-holder" aria-hidden="true"></div>
      </section>`;

const evidence = (
  id: string,
  title: string,
): string => `<section class="panel chart evidence" aria-labelledby="${id}-title">
        <div class="chart-head">
          <h2 id="${id}-title">${title}</h2>
          <b id="${id}-verdict" class="verdict"></b>
          <p id="${id}-numbers" class="chart-numbers"></p>
        </div>
        <div id="${id}-chart" class="chart-holder" aria-hidden="true"></div>
      </section>`;

/** Text as markup, for element content and quoted attributes. */
export function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
