// Elements, made without markup: what the cloud tells is put in as text only.

/** el("a", { href, class, on: { click } }, "text", child): attributes that are null or false are left out. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The head of a column that only has buttons. */
export const unseen = (text) => el("span", { class: "sr" }, text);

export const byId = (id) => document.getElementById(id);

/** Writes only what differs: writing makes the browser lay out anew. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The options of a select, with the chosen one kept where it is still there. */
export function setOptions(select, options, chosen = select.value) {
  const same = select.options.length === options.length
    && options.every(({ value, label }, n) => select.options[n].value === value && select.options[n].label === label);
  if (!same) select.replaceChildren(...options.map(({ value, label }) => el("option", { value }, label)));
  if (options.some(({ value }) => value === chosen)) select.value = chosen;
}

/** A table; cells are texts or elements. */
export function table(caption, heads, rows) {
  const head = heads.map((text) => el("th", { scope: "col" }, text));
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {},
      el("caption", { class: "sr" }, caption),
      el("thead", {}, el("tr", {}, ...head)),
      el("tbody", {}, ...rows)));
}

export function tr(...cells) {
  return el("tr", {}, ...cells.map((cell, n) => (n ? el("td", {}, cell ?? "") : el("th", { scope: "row" }, cell ?? ""))));
}

/** What a script reads is copied whole. */
export function copyButton(label, text) {
  const button = el("button", { type: "button", class: "small" }, "Copy");
  button.setAttribute("aria-label", `Copy ${label}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}
