// Where the server is: which command starts it, for which reason.

import { execFile } from "node:child_process";
import * as vscode from "vscode";

/** A command that starts pitfall-lint, and where it was found. */
export interface Found {
  command: string;
  args: string[];
  origin: string;
}

/** What the Python extension's API answers, as far as it is used here. */
interface PythonApi {
  ready: Promise<void>;
  environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { path: string };
    resolveEnvironment(path: { path: string }): Promise<{ executable: { uri?: vscode.Uri } } | undefined>;
    onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

const PROBE = "import pitfall_lint, pygls, lsprotocol";

/** Return the API of the Python extension, when it is there. */
export async function pythonApi(): Promise<PythonApi | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  if (extension === undefined) {
    return undefined;
  }
  const api = extension.isActive ? extension.exports : await extension.activate();
  await api?.ready;
  return api?.environments === undefined ? undefined : api;
}

/** Return the command that starts the server, or undefined when it is nowhere. */
export async function findServer(log: vscode.LogOutputChannel): Promise<Found | undefined> {
  const settings = vscode.workspace.getConfiguration("pitfall-lint");
  if (vscode.workspace.isTrusted) {
    const path = settings.get<string[]>("path") ?? [];
    if (path.length > 0) {
      return { command: path[0], args: [...path.slice(1), "server"], origin: "the setting pitfall-lint.path" };
    }
    const interpreter = settings.get<string>("interpreter") ?? "";
    if (interpreter !== "") {
      return { ...module(interpreter), origin: "the setting pitfall-lint.interpreter" };
    }
    const selected = await selectedInterpreter(log);
    if (selected !== undefined && (await succeeds(selected, ["-c", PROBE], log))) {
      return { ...module(selected), origin: "the selected interpreter" };
    }
  }
  if (await succeeds("pitfall-lint", ["--version"], log)) {
    return { command: "pitfall-lint", args: ["server"], origin: "PATH" };
  }
  return undefined;
}

function module(interpreter: string): { command: string; args: string[] } {
  return { command: interpreter, args: ["-m", "pitfall_lint", "server"] };
}

async function selectedInterpreter(log: vscode.LogOutputChannel): Promise<string | undefined> {
  try {
    const api = await pythonApi();
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
    const path = api?.environments.getActiveEnvironmentPath(folder);
    const environment = path === undefined ? undefined : await api?.environments.resolveEnvironment(path);
    return environment?.executable.uri?.fsPath;
  } catch (error) {
    log.warn(`the Python extension did not answer: ${error}`);
    return undefined;
  }
}

function succeeds(command: string, args: string[], log: vscode.LogOutputChannel): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 20_000, windowsHide: true }, (error) => {
      if (error !== null) {
        log.info(`${command} ${args.join(" ")}: ${error.message.split("\n")[0]}`);
      }
      resolve(error === null);
    });
  });
}
