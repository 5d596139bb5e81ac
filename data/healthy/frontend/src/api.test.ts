import { describe, expect, it } from "vitest";
import { formatPrice, propertiesUrl } from "./api";

describe("propertiesUrl", () => {
  it("leaves the query out without an area", () => {
    expect(propertiesUrl("")).toBe("/api/v1/properties");
  });

  it("escapes the area", () => {
    expect(propertiesUrl("Palm & Marina")).toContain("area=Palm%20%26%20Marina");
  });
});

describe("formatPrice", () => {
  it("groups thousands", () => {
    expect(formatPrice(1250000.4)).toBe("AED 1,250,000");
  });
});
