;; Driven by test_editors.py: opens a file, waits for its diagnostics, applies the first quick fix, saves the buffer.
;; Arguments through the environment: PITFALL_COMMAND (JSON list), PITFALL_FILE, PITFALL_OUT.
(require 'json)
(require 'eglot)
(require 'flymake)

(defun pitfall-wait (seconds test)
  "Let Emacs work until TEST answers non-nil, at most SECONDS."
  (let ((end (+ (float-time) seconds)) (found nil))
    (while (and (not (setq found (funcall test))) (< (float-time) end))
      (accept-process-output nil 0.05))
    found))

(let ((command (append (json-parse-string (getenv "PITFALL_COMMAND")) nil))
      (out nil))
  (condition-case problem
      (progn
        (setq eglot-sync-connect 30 eglot-autoshutdown t eglot-confirm-server-initiated-edits nil)
        (add-to-list 'eglot-server-programs (cons 'python-mode command))
        (find-file (getenv "PITFALL_FILE"))
        (python-mode)
        (apply #'eglot (eglot--guess-contact))
        (pitfall-wait 60 (lambda () (flymake-start) (flymake-diagnostics)))
        (let* ((first (car (flymake-diagnostics))) (begin (flymake-diagnostic-beg first)))
          (push (cons 'diagnostic (flymake-diagnostic-text first)) out)
          (push (cons 'line (line-number-at-pos begin)) out)
          (goto-char begin)
          (let* ((server (eglot--current-server-or-lose))
                 (position (eglot--pos-to-lsp-position begin))
                 (actions (jsonrpc-request
                           server :textDocument/codeAction
                           (list :textDocument (eglot--TextDocumentIdentifier)
                                 :range (list :start position :end position)
                                 :context (list :diagnostics [] :only ["quickfix"]))
                           :timeout 60)))
            (push (cons 'action (plist-get (aref actions 0) :title)) out)
            (eglot--apply-workspace-edit (plist-get (aref actions 0) :edit))
            (save-buffer)
            (eglot-shutdown server))))
    (error (push (cons 'error (format "%S" problem)) out)))
  (with-temp-file (getenv "PITFALL_OUT") (insert (json-encode out)))
  (kill-emacs 0))
