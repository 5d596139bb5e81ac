export interface Property {
  id: number;
  title: string;
  area: string;
  bedrooms: number;
  price: number;
}

export function propertiesUrl(area: string): string {
  const query = area ? `?area=${encodeURIComponent(area)}` : "";
  return `/api/v1/properties${query}`;
}

export async function fetchProperties(area: string): Promise<Property[]> {
  const answer = await fetch(propertiesUrl(area));
  return answer.ok ? answer.json() : [];
}

export function formatPrice(price: number): string {
  return `AED ${Math.round(price).toLocaleString("en")}`;
}
