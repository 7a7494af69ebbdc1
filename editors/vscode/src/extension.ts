// Starts the language server, restarts it when its place changes, and shows how it is.

import * as vscode from "vscode";
import { LanguageClient, type LanguageClientOptions, type ServerOptions, State } from "vscode-languageclient/node";
import { findServer, pythonApi } from "./server";

const SECTION = "pitfall-lint";
const RESTARTS = ["path", "interpreter", "logLevel"].map((name) => `${SECTION}.${name}`);

let client: LanguageClient | undefined;
let status: vscode.LanguageStatusItem;
let log: vscode.LogOutputChannel;
let starting: Promise<void> = Promise.resolve();

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  log = vscode.window.createOutputChannel("pitfall-lint", { log: true });
  status = vscode.languages.createLanguageStatusItem(SECTION, { language: "python" });
  status.name = "pitfall-lint";
  status.command = { command: "pitfall-lint.showLogs", title: "Show logs" };
  context.subscriptions.push(
    log,
    status,
    vscode.commands.registerCommand("pitfall-lint.restart", restart),
    vscode.commands.registerCommand("pitfall-lint.showLogs", () => log.show()),
    vscode.commands.registerCommand("pitfall-lint.fixAll", () =>
      vscode.commands.executeCommand("editor.action.codeAction", { kind: "source.fixAll.pitfall-lint", apply: "first" }),
    ),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (RESTARTS.some((name) => event.affectsConfiguration(name))) {
        await restart();
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(restart),
  );
  await restart();
  const python = await pythonApi().catch(() => undefined);
  if (python !== undefined) {
    context.subscriptions.push(python.environments.onDidChangeActiveEnvironmentPath(restart));
  }
}

export async function deactivate(): Promise<void> {
  await stop();
}

/** Stop the server that runs and start the one that is to run; calls take turns. */
function restart(): Promise<void> {
  starting = starting.then(async () => {
    await stop();
    await start();
  });
  return starting;
}

async function stop(): Promise<void> {
  const old = client;
  client = undefined;
  try {
    await old?.dispose();
  } catch (error) {
    log.warn(`the server did not stop well: ${error}`);
  }
}

async function start(): Promise<void> {
  show("starting …", vscode.LanguageStatusSeverity.Information, true);
  const found = await findServer(log);
  if (found === undefined) {
    show("not found", vscode.LanguageStatusSeverity.Error, false);
    await missing();
    return;
  }
  const level = vscode.workspace.getConfiguration(SECTION).get<string>("logLevel") ?? "warning";
  const args = [...found.args, "--log-level", level];
  log.info(`starting ${found.command} ${args.join(" ")} (from ${found.origin})`);
  const server: ServerOptions = { command: found.command, args };
  const options: LanguageClientOptions = {
    documentSelector: [
      { language: "python", scheme: "file" },
      { language: "python", scheme: "untitled" },
      { language: "python", scheme: "vscode-notebook-cell" },
    ],
    outputChannel: log,
    synchronize: { configurationSection: SECTION },
  };
  client = new LanguageClient(SECTION, "pitfall-lint", server, options);
  client.onDidChangeState((change) => {
    if (change.newState === State.Running) {
      show(`runs (${found.origin})`, vscode.LanguageStatusSeverity.Information, false);
    } else if (change.newState === State.Stopped) {
      show("stopped", vscode.LanguageStatusSeverity.Warning, false);
    }
  });
  try {
    await client.start();
  } catch (error) {
    show("does not start", vscode.LanguageStatusSeverity.Error, false);
    log.error(`the server does not start: ${error}`);
  }
}

function show(text: string, severity: vscode.LanguageStatusSeverity, busy: boolean): void {
  status.text = `pitfall-lint ${text}`;
  status.severity = severity;
  status.busy = busy;
}

async function missing(): Promise<void> {
  const logs = "Show logs";
  const chosen = await vscode.window.showWarningMessage(
    "pitfall-lint is neither in the selected interpreter nor on PATH: pip install 'pitfall-lint[lsp]'",
    logs,
  );
  if (chosen === logs) {
    log.show();
  }
}
