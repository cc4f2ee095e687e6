// Bundle the scripts and styles of both programs.
//
// Of each program `static/src/main.js`, `static/src/main.css` and the pictures beside them
// become `static/dist/`: files named after their content, which browsers may keep for ever,
// and `manifest.json`, which tells templates the present names. What a script imports only
// when it needs it (charts) becomes a file of its own. Nothing is loaded from elsewhere.
//
//     node ops/bundle.mjs            once, small
//     node ops/bundle.mjs --watch    again whenever a source changes, with source maps

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const PROGRAMS = ["hedgerow/web/static", "app/static"];
const watching = process.argv.includes("--watch");

/** Write the pictures under names that carry a hash of their content; return old → new. */
function pictures(from, to) {
  const named = {};
  for (const name of readdirSync(from).filter((n) => /\.(svg|png|ico)$/.test(n)).sort()) {
    const content = readFileSync(join(from, name));
    const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
    named[name] = `${basename(name, extname(name))}-${hash}${extname(name)}`;
    writeFileSync(join(to, named[name]), content);
  }
  return named;
}

/** Put a compressed copy beside each text, so that no request has to wait for one. */
function compress(folder) {
  for (const name of readdirSync(folder).filter((n) => /\.(js|css|svg)$/.test(n))) {
    const content = readFileSync(join(folder, name));
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
  }
}

/** Say which file each entry became, once esbuild is done. */
function manifest(from, to) {
  return {
    name: "manifest",
    setup(build) {
      build.onEnd((result) => {
        if (result.errors.length) return;
        const named = pictures(from, to);
        for (const [path, output] of Object.entries(result.metafile.outputs)) {
          if (output.entryPoint) named[basename(output.entryPoint)] = basename(path);
        }
        const sorted = Object.fromEntries(Object.entries(named).sort());
        writeFileSync(join(to, "manifest.json"), `${JSON.stringify(sorted, null, 2)}\n`);
        if (!watching) compress(to);
      });
    },
  };
}

for (const program of PROGRAMS) {
  const [from, to] = [join(program, "src"), join(program, "dist")];
  const entryPoints = ["main.js", "main.css"].map((n) => join(from, n)).filter(existsSync);
  if (!entryPoints.length) continue;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const options = {
    entryPoints,
    outdir: to,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "esnext", // light-dark() and nesting stay as written
    minify: !watching,
    sourcemap: watching,
    metafile: true,
    legalComments: "linked",
    loader: { ".woff2": "file" },
    plugins: [manifest(from, to)],
    logLevel: "warning",
  };
  if (watching) await (await esbuild.context(options)).watch();
  else await esbuild.build(options);
}
