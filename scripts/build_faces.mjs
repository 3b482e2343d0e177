// Print the cartoon faces that scripts/build_faces.py stores, one JSON object a line: style, seed, svg, parts.
import { bare, load } from './dicebear.mjs';

const [folder, count] = process.argv.slice(2);
const { createAvatar, styles } = await load(folder);

// Styles in the public domain (CC0 1.0). Accessories are rare by default, and then hardly learned.
const OPTIONS = {
  lorelei: { beardProbability: 20, earringsProbability: 20, frecklesProbability: 10, glassesProbability: 30 },
  notionists: { beardProbability: 20, glassesProbability: 30 },
  openPeeps: { accessoriesProbability: 30, facialHairProbability: 20 },
  pixelArt: { accessoriesProbability: 20, beardProbability: 20, glassesProbability: 30, hatProbability: 15 },
  thumbs: {},
};
const BACKGROUNDS = ['transparent', 'transparent', 'b6e3f4', 'c0aede', 'd1d4f9', 'ffd5dc', 'ffdfbf'];

for (const [style, options] of Object.entries(OPTIONS)) {
  for (let seed = 0; seed < Number(count); seed++) {
    const background = style === 'thumbs' ? {} : { backgroundColor: [BACKGROUNDS[seed % BACKGROUNDS.length]] };
    const { svg, extra } = createAvatar(styles[style], { seed: `${seed}`, ...options, ...background }).toJson();
    process.stdout.write(`${JSON.stringify({ style, seed, svg: bare(svg), parts: extra })}\n`);
  }
}
