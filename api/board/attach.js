// A file on its way into a body: photos from a telephone are made smaller first, everything else is sent as it is or not at all.
import { t } from "./words.js";

const MOST = 700_000;
const EDGES = [2400, 1800, 1200, 800];

async function smaller(file, edge) {
  const image = await createImageBitmap(file);
  const scale = Math.min(1, edge / Math.max(image.width, image.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(image.width * scale), height: Math.round(image.height * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.85); });
}

const base64 = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(blob);
});

// {name, content} of the picked file, null without one; throws a sentence where it is too large.
export async function attached(input) {
  const file = input.files[0];
  if (!file) return null;
  let blob = file;
  let name = file.name;
  for (const edge of EDGES) {
    if (blob.size <= MOST || !/^image\/(jpeg|png|webp)$/.test(file.type)) break;
    blob = await smaller(file, edge);
    name = `${file.name.replace(/\.[^.]+$/, "")}.jpg`;
  }
  if (blob.size > MOST || blob.size === 0) throw new Error(t("fileTooLarge"));
  return { name, content: await base64(blob) };
}

// The address of a stored file as a link that downloads it; the session's cookie goes with it.
export const fileLink = (h, url, file) => h("a", { href: url, download: file.name, title: `SHA-256 ${file.sha256}` }, `${file.name} (${Math.ceil(file.bytes / 1000)} kB)`);
