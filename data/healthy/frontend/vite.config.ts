import { defineConfig } from "vitest/config";

export default defineConfig({
  esbuild: { jsx: "automatic" },
  server: { proxy: { "/api": "http://localhost:8000" } },
});
