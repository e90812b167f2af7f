// Elements. Text is only ever set as text, so that nothing a customer is called can become markup.

export const $ = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export function show(element, visible) {
  element.hidden = !visible;
}

// What a customer is called: its name, else its company, e-mail or phone.
export function called(customer) {
  const name = [customer.first_name, customer.last_name].filter(Boolean).join(" ");
  return name || customer.company_name || customer.email || customer.phone || "Unnamed customer";
}
