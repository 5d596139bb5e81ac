import { useEffect, useState } from "react";
import { type Property, fetchProperties, formatPrice } from "./api";

export function App() {
  const [area, setArea] = useState("");
  const [properties, setProperties] = useState<Property[]>([]);

  useEffect(() => {
    fetchProperties(area).then(setProperties);
  }, [area]);

  return (
    <main>
      <h1>Properties</h1>
      <label>
        Area <input value={area} onChange={(event) => setArea(event.target.value)} />
      </label>
      <ul>
        {properties.map((property) => (
          <li key={property.id}>
            {property.title}, {property.area}: {formatPrice(property.price)}
          </li>
        ))}
      </ul>
    </main>
  );
}
