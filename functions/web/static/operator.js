// The operator's token: asked for when the service asks, kept for as long as the tab is open
// (sessionStorage: not for other tabs, nor after a restart), and sent as a header only.
import {$, say} from "./dom.js";
import {Problem} from "./api.js";

const stored = "rideshare.operator";

export class Operator {
  constructor() {
    this.token = sessionStorage.getItem(stored) || "";
    this.asking = null;
    $("sign").addEventListener("click", () => $("ask").showModal());
    $("ask-cancel").addEventListener("click", () => $("ask").close());
    // Escape closes it, too. Then the button stays, to open it again.
    $("ask").addEventListener("close", () => { $("sign").hidden = !this.asking; this.refuse?.(new Error("no token was given")); });
    $("ask-form").addEventListener("submit", () => {
      this.token = $("token").value.trim();
      sessionStorage.setItem(stored, this.token);
      $("token").value = "";
      const resolve = this.asking?.resolve;
      this.asking = null;
      resolve?.();
    });
  }

  // ask resolves when a token was entered, however often the dialog was closed before.
  ask(problem) {
    this.asking ??= Promise.withResolvers();
    say($("ask-problem"), problem);
    if (!$("ask").open) $("ask").showModal();
    return this.asking.promise;
  }

  // use calls f with the token, and asks for another for as long as the service refuses it. It
  // throws when the dialog is closed.
  async use(f) {
    for (;;) {
      const tried = this.token;
      try {
        return await f(tried);
      } catch (e) {
        if (!(e instanceof Problem) || e.status !== 401) throw e;
        if (tried === this.token) await Promise.race([this.ask(tried ? e.message : ""), new Promise((_, refuse) => { this.refuse = refuse; })]);
      }
    }
  }
}
