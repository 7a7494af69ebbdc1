-- Driven by test_editors.py: opens a file, waits for its diagnostics, applies the first quick fix, writes the buffer.
-- Arguments through the environment: PITFALL_COMMAND (JSON list), PITFALL_FILE, PITFALL_ROOT, PITFALL_OUT.
local command = vim.fn.json_decode(vim.env.PITFALL_COMMAND)
local out = {}

local function finish(message)
  out.error = message
  vim.fn.writefile({ vim.fn.json_encode(out) }, vim.env.PITFALL_OUT)
  vim.cmd("qa!")
end

local ok, problem = pcall(function()
  vim.cmd("edit " .. vim.fn.fnameescape(vim.env.PITFALL_FILE))
  vim.bo.filetype = "python"
  local client = vim.lsp.start_client({ name = "pitfall-lint", cmd = command, root_dir = vim.env.PITFALL_ROOT })
  vim.lsp.buf_attach_client(0, client)
  local seen = vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 50)
  if not seen then return finish("no diagnostics came") end
  out.diagnostics = {}
  for _, found in ipairs(vim.diagnostic.get(0)) do
    table.insert(out.diagnostics, { line = found.lnum, column = found.col, code = found.code, message = found.message })
  end
  local first = vim.diagnostic.get(0)[1]
  local position = { line = first.lnum, character = first.col }
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(0),
    range = { start = position, ["end"] = position },
    context = { diagnostics = {}, only = { "quickfix" } },
  }
  local answers = vim.lsp.buf_request_sync(0, "textDocument/codeAction", params, 60000)
  local actions = answers[client].result
  out.actions = {}
  for _, action in ipairs(actions) do table.insert(out.actions, action.title) end
  local hover = vim.lsp.buf_request_sync(0, "textDocument/hover", {
    textDocument = params.textDocument, position = position }, 60000)
  out.hover = hover[client].result and hover[client].result.contents.value or ""
  local offset_encoding = vim.lsp.get_client_by_id(client).offset_encoding
  vim.lsp.util.apply_workspace_edit(actions[1].edit, offset_encoding)
  vim.wait(60000, function() return #vim.diagnostic.get(0) == 0 end, 50)
  out.left = #vim.diagnostic.get(0)
  vim.cmd("write")
  vim.lsp.stop_client(client)
end)
finish(not ok and tostring(problem) or nil)
