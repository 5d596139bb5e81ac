import { expect, test } from "@playwright/test";

const api = process.env.API_URL ?? "http://localhost:8000";

test("the API is healthy", async ({ request }) => {
  const answer = await request.get(`${api}/health`);
  expect(answer.ok()).toBeTruthy();
});
