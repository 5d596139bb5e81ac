import { expect, test } from "@playwright/test";

test("an area without listings shows an empty list", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { name: "Properties" })).toBeVisible();
  await page.getByLabel("Area").fill("Nowhere");
  await expect(page.getByRole("listitem")).toHaveCount(0);
});
