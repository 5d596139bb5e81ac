import { expect, test } from "@playwright/test";

test("an agent filters properties by area", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Properties" })).toBeVisible();
  await page.getByLabel("Area").fill("Dubai Marina");
  await expect(page.getByRole("listitem").first()).toContainText("Dubai Marina");
});
