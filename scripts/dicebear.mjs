// What the scripts that draw with DiceBear share: the packages of a folder, and a drawing without its metadata.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

export const load = async (folder) => {
  const require = createRequire(pathToFileURL(`${folder}/`));
  const open = (name) => import(pathToFileURL(require.resolve(name)).href);
  const { createAvatar } = await open('@dicebear/core');
  return { createAvatar, styles: await open('@dicebear/collection') };
};

export const bare = (svg) => svg.replace(/<metadata.*?<\/metadata>/s, '');
