// What the server wrote into the page: {endpoint, token, tabs}.
export const element = document.getElementById("configuration");
export const configuration = JSON.parse(element.textContent);
