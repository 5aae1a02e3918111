package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Asks a load balancer one thing after the other, each on a connection of its own, and notes what
 * became of it, while the region's server is killed again and again. Nothing may fail but what
 * nobody was there for: a client may try that again.
 */
final class SteadyRequests {

  private static final String PASSED = "200 0";

  /** Refused, or cut off before anything was answered (exit codes of curl). */
  private static final List<String> FOR_WANT_OF_A_SERVER =
      List.of(PASSED, "000 7", "000 52", "000 56");

  private static final int SOME = 20;

  private final TestRegion region;
  private final String url;
  private final Path outcomes;
  private final Process client;
  private int seen;

  SteadyRequests(TestRegion region, String url) throws IOException {
    this.region = region;
    this.url = url;
    outcomes = region.work().resolve("outcomes.txt");
    client =
        region.background(
            "while true; do curl -s -o /dev/null -w '%{http_code} %{exitcode}\\n' --max-time 60 "
                + url
                + " || sleep 0.05; done",
            outcomes);
  }

  /** Waits for some; all since there was a server have to have passed. */
  void pass() throws IOException {
    region.bare(
        "until [ $(tail -n +%d %s | wc -l) -ge %d ]; do sleep 0.05; done"
            .formatted(seen + 1, outcomes, SOME));
    check(List.of(PASSED));
  }

  private void check(List<String> allowed) throws IOException {
    List<String> all = Files.readAllLines(outcomes);
    List<String> fresh = all.subList(Math.min(seen, all.size()), all.size());
    assertEquals(List.of(), fresh.stream().filter(line -> !allowed.contains(line)).toList());
    seen = all.size();
  }

  /**
   * The server is killed, and another one comes.
   *
   * @param meanwhile is done while there is none
   */
  void outlive(Runnable meanwhile) throws Exception {
    check(List.of(PASSED));
    region.server().destroyForcibly();
    region.server().onExit().get();
    meanwhile.run();
    region.up();
    region.bare("until curl -sf -o /dev/null --max-time 5 " + url + "; do sleep 0.1; done");
    check(FOR_WANT_OF_A_SERVER);
    seen++; // one was under way
    pass();
  }

  void end() throws Exception {
    pass();
    end(client);
  }

  static void end(Process process) throws InterruptedException {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor();
  }
}
