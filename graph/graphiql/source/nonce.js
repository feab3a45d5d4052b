// Lets the page's own scripts make <style> elements under a policy that knows only the nonce.
// Monaco makes them with no way to pass one, hence at the one place where all elements are made.
import { element } from "./configuration.js";

const create = document.createElement;
document.createElement = function (...given) {
  const made = create.apply(this, given);
  if (made instanceof HTMLStyleElement) made.nonce = element.nonce;
  return made;
};
