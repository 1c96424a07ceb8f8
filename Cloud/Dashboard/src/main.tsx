// The page's entry: asks who we are, then draws.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { probe } from "./state/live";
import { App } from "./ui/App";

const root = document.getElementById("root");
if (root !== null) createRoot(root).render(<StrictMode><App /></StrictMode>);
void probe();
