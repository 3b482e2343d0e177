// Print the portraits of seeds first to end that scripts/build_portraits.py stores, one JSON object a line: style, parts,
// svg. Portrait k has the style k mod 7, and everything about it follows from k.
import { bare, load } from './dicebear.mjs';

const [folder, first, end] = process.argv.slice(2);
const { createAvatar, styles } = await load(folder);

const HAIR = [
  '0f0e0e', '1c1917', '2a1f1a', // black
  '3b2416', '4a2e1d', '5b3a22', // dark brown
  '724830', '8a5a36', '9c6b3f', // brown
  'd9b054', 'e8c766', 'f1da8b', // blond
  'b5401f', 'c94a1c', 'd8612a', // red
  '8f9399', 'b4b8bd', // grey
  'ececea', // white
  'e86fa9', 'f29ac4', // pink
  '7a4fd0', '9a72dd', // purple
  '3765d6', '5b8cf0', // blue
  '2fa7a5', // turquoise
  '3f9f57', // green
];
const SKIN = ['fbdcc6', 'f6cdb0', 'edb98f', 'dba272', 'bd7e50', '9a6039', '74462b', '573320'];
const CLOTHES = [
  'd63f3f', 'b3262e', // red
  'f08534', // orange
  'f3c63c', // yellow
  '3f9f57', '6cc07a', // green
  '33b1aa', // turquoise
  '3765d6', '6aa3f0', '28396f', // blue, light blue, dark blue
  '7a4fd0', // purple
  'ee7fb0', // pink
  '8a5a36', // brown
  'f4f4f2', // white
  '8f9399', // grey
  '26272b', // black
];
// Soft, and each of them lighter than any skin, so that outlines and dark hair show on them.
const BACKGROUNDS = ['ffffff', 'e6e9ed', 'cbe5fb', 'dcd3fa', 'cdf1db', 'fbd5e5', 'fdf0bd'];

// What is thinner than a model can draw, or no portrait of a person, is left out of the styles' parts.
const without = (style, part, ...left) =>
  styles[style].schema.properties[part].items.enum.filter((value) => !left.includes(value));
const times = (count, ...values) => Array(count).fill(values).flat();

// The second argument of a style is a first drawing's parts: beards grow under short hair only, in the hair's colour.
const STYLES = {
  personas: ({ hair = '' } = {}) => ({
    clothingColor: CLOTHES,
    hairColor: HAIR,
    skinColor: SKIN,
    mouth: without('personas', 'mouth', 'pacifier'),
    eyes: ['open', 'open', 'happy', 'happy', 'sleep', 'wink', 'glasses', 'glasses', 'sunglasses'],
    facialHairProbability: /long|bob|pigtails|Bun|extra|sideShave/i.test(hair) ? 0 : 35,
  }),
  toonHead: ({ hair = '', rearHair } = {}) => ({
    clothesColor: CLOTHES,
    hairColor: HAIR,
    skinColor: SKIN,
    beardProbability: rearHair || hair === 'bun' ? 0 : 45,
    scale: 92,
    translateY: 4,
  }),
  bigSmile: ({ hair = '' } = {}) => ({
    hair: without('bigSmile', 'hair', 'braids'),
    hairColor: HAIR,
    skinColor: SKIN,
    accessories: [
      ...times(3, 'glasses'),
      ...times(2, 'sunglasses'),
      ...times(2, /short|mohawk|bowl|shavedHead/i.test(hair) ? 'mustache' : 'glasses'),
      'catEars', 'sailormoonCrown', 'clownNose',
    ],
    accessoriesProbability: 50,
    scale: 90,
    translateY: 3,
  }),
  micah: ({ hair = '', hairColor } = {}) => ({
    baseColor: SKIN,
    hairColor: HAIR,
    shirtColor: CLOTHES,
    hair: without('micah', 'hair', 'turban'), // it looks like hair
    facialHairColor: hairColor ? [hairColor.slice(1)] : HAIR,
    facialHair: ['beard'],
    facialHairProbability: /full|pixie/.test(hair) ? 0 : 25,
    glassesColor: ['1c1917'],
    glassesProbability: 30,
    earringColor: ['f4c430'],
    earringsProbability: 20,
    eyeShadowColor: ['ffffff'],
    scale: 95,
    translateY: 5,
  }),
  adventurer: ({ hair = '' } = {}) => ({
    hairColor: HAIR,
    skinColor: SKIN,
    mouth: without('adventurer', 'mouth', 'variant13'), // it drools
    features: hair.startsWith('short') ? ['mustache', 'mustache', 'blush', 'freckles'] : ['blush', 'freckles'],
    featuresProbability: 20,
    glassesProbability: 30,
    earringsProbability: 15,
    scale: 85,
    translateY: 2,
  }),
  miniavs: ({ hair = '' } = {}) => ({
    bodyColor: CLOTHES,
    hairColor: HAIR,
    skinColor: SKIN,
    glassesProbability: 30,
    mustacheProbability: /ponyTail|long/.test(hair) ? 0 : 30,
    scale: 90,
    translateY: 5,
  }),
  openPeeps: ({ head = '' } = {}) => ({
    clothingColor: CLOTHES,
    headContrastColor: HAIR.slice(3), // black is the colour of all other hair
    skinColor: SKIN,
    head: [
      ...without('openPeeps', 'head', 'bear'),
      ...times(2, 'bangs', 'grayBun', 'grayMedium', 'grayShort', 'mediumBangs2', 'short4'),
    ],
    face: without('openPeeps', 'face', 'cyclops', 'monster'),
    facialHair: without('openPeeps', 'facialHair', 'moustache1', 'moustache4', 'moustache8'),
    facialHairProbability: /bun|bangs|long|medium|hijab|cornrows/i.test(head) ? 0 : 30,
    accessoriesProbability: 30,
    maskProbability: 0,
    scale: 92,
    translateY: 4,
  }),
};

// A mask of the whole canvas hides nothing, and takes half of the time that drawing takes. That of a persona's face hides
// nothing either, but isolates the light on it from the skin, so that dark faces would be grey.
const unmasked = (svg) =>
  svg.replace(/<mask id="(viewboxMask|personas-a)".*?<\/mask><g mask="url\(#\1\)">/gs, '<g>');

const names = Object.keys(STYLES);
for (let seed = Number(first); seed < Number(end); seed++) {
  const style = names[seed % names.length];
  const draw = (parts) =>
    createAvatar(styles[style], { seed: `${seed}`, backgroundColor: BACKGROUNDS, ...STYLES[style](parts) }).toJson();
  const { svg, extra } = draw(draw().extra);
  const { secondaryBackgroundColor, backgroundType, backgroundRotation, ...parts } = extra;
  process.stdout.write(`${JSON.stringify({ style, parts, svg: unmasked(bare(svg)) })}\n`);
}
