// Sets the chosen theme before the first paint; "system" is the absence of a choice.
try {
  const chosen = localStorage.getItem("tidewire.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme then holds.
}
