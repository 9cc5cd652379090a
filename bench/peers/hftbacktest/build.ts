// How the peer is installed and started.
import type { PeerBuild } from "../../harness/peer.ts";

export const HFTBACKTEST: PeerBuild = {
  folder: "hftbacktest",
  build: ["sh", "install.sh"],
  product: "../../../var/peers/hftbacktest/venv/hftbacktest-installed",
  run: ["../../../var/peers/hftbacktest/venv/bin/python", "peer.py"],
};
