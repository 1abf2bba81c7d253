// Builds countries.json and points.json from world-atlas (Natural Earth 1:50m): smaller, without Antarctica or the
// smallest islands, and a point for each country too small to be seen.
// npm install world-atlas@2.0.2 topojson-client@3 topojson-simplify@3 d3-geo@3 && node build.mjs
import fs from "node:fs";
import { geoArea, geoCentroid } from "d3-geo";
import { feature, quantize } from "topojson-client";
import { filter, filterAttachedWeight, presimplify, simplify, sphericalRingArea, sphericalTriangleArea } from "topojson-simplify";

const STERADIANS = 3e-6; // about 120 square kilometres: finer is not seen at 1,200 pixels
const TINY = 1e-4; // countries below about 4,000 square kilometres get a dot

const source = JSON.parse(fs.readFileSync("node_modules/world-atlas/countries-50m.json", "utf8"));
const points = {};
const countries = source.objects.countries;
countries.geometries = countries.geometries.filter((g) => g.id !== "010");
for (const geometry of countries.geometries) {
  const whole = feature(source, geometry).geometry;
  const parts = whole.type === "Polygon" ? [whole.coordinates] : whole.coordinates;
  const [largest] = parts
    .map((coordinates) => ({ type: "Polygon", coordinates }))
    .sort((a, b) => geoArea(b) - geoArea(a));
  const [long, lat] = geoCentroid(largest).map((v) => Math.round(v * 100) / 100);
  if (geometry.id && geoArea(whole) < TINY) points[geometry.id] = [long, lat];
  geometry.properties = { name: geometry.properties.name };
}
const topology = { ...source, objects: { countries } };
const simple = simplify(presimplify(topology, sphericalTriangleArea), STERADIANS);
const kept = filter(simple, filterAttachedWeight(simple, STERADIANS * 10, sphericalRingArea));
fs.writeFileSync("countries.json", JSON.stringify(quantize(kept, 2e4)));
fs.writeFileSync("points.json", JSON.stringify(points));
