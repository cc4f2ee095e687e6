// What an application does with posthog-node; runs under the newest and under an old one.
// Arguments: the package's folder, the server's address, options of the client as JSON.
import { createRequire } from "node:module";

const [folder, host, options] = process.argv.slice(2);
const { PostHog } = createRequire(import.meta.url)(folder);
const client = new PostHog("phc_test", { host, flushInterval: 200, ...JSON.parse(options) });

client.capture({ distinctId: "ann", event: "signed up", properties: { plan: "pro", seats: 5 } });
client.capture({ distinctId: "ann", event: "in a group", groups: { company: "acme" } });
client.identify({
  distinctId: "ann",
  properties: { $set: { email: "a@b.c" }, $set_once: { first: "2026" } },
});
client.alias({ distinctId: "ann", alias: "anon-77" });
client.groupIdentify({
  groupType: "company",
  groupKey: "acme",
  properties: { name: "Acme", seats: 20 },
});
for (let n = 0; n < 60; n++) {
  client.capture({ distinctId: `bulk-${n}`, event: "bulk", properties: { n } });
}
const flags = await client.getAllFlags("ann");
await client.shutdown();

const quiet = new PostHog("phc_test", { host });
await quiet.optOut();
quiet.capture({ distinctId: "ann", event: "never sent" });
await quiet.shutdown();
console.log(JSON.stringify(flags));
