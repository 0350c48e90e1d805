import { App } from "cdktf";
import { BlueGreenApp } from "mcp-bluegreen";
import notes from "./environments/notes.ts";
import search from "./environments/search.ts";

const app = new App();
const first = new BlueGreenApp(app, search);
const second = new BlueGreenApp(app, notes);
// The first one makes the namespace that both are in.
second.platform.addDependency(first.platform);
app.synth();
