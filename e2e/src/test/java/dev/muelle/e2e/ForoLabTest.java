package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** From a monolith to microservices, by the very commands of the lab's document. */
@Timeout(1_500) // it may wait for the port
class ForoLabTest {

  private static final String DOCUMENT = "foro-microservices.md";

  @Test
  void theSpanishDocumentHasTheSameCommands() throws Exception {
    List<String> english = LabDocument.read(DOCUMENT).all();
    assertFalse(english.isEmpty());
    assertEquals(english, LabDocument.read("foro-microservices.es.md").all());
  }

  @Test
  void theMonolithIsTakenApartUnderLoad() throws Exception {
    LabDocument lab = LabDocument.read(DOCUMENT);
    try (TestRegion region = TestRegion.start("").owning(80)) {
      List<String> idle;
      try (Session learner = region.session()) {
        learner.run(lab.sections(0, 0));
        idle = region.traces();
        assertEquals(
            List.of("users,threads,posts", "users,threads,posts", "users,threads,posts"),
            headers("Foro-Parts", learner.run(lab.sections(1, 1))));
        String images = learner.run(lab.sections(2, 3));
        assertTrue(images.contains("foro-threads"), images);

        Path codes = region.work().resolve("codes.txt");
        Path stop = region.work().resolve("stop");
        learner.run(
            """
            for path in users threads posts/by-user/1; do
              ( while [ ! -e %1$s ]; do
                  curl -s -o /dev/null -w '%%{http_code}\\n' --max-time 10 http://$DNS_NAME/api/$path || true
                done >> %2$s ) &
            done
            """
                .formatted(stop, codes));
        List<String> half = headers("Foro-Parts", learner.run(lab.sections(4, 4)));
        assertEquals(6, half.size(), half::toString);
        assertTrue(
            half.stream().allMatch(List.of("users", "users,threads,posts")::contains),
            half::toString);

        String alone = learner.run(lab.sections(5, 5));
        assertEquals(List.of("users", "threads", "posts"), headers("Foro-Parts", alone));
        assertTrue(alone.contains("HTTP/1.1 404"), alone);
        assertTrue(alone.contains("aqui no hay nada"), alone);

        String each = learner.run(lab.sections(6, 6));
        learner.run("touch " + stop + "; wait");
        assertEquals(List.of("posts", "threads"), headers("Foro-Parts", each));
        assertEquals(List.of("2", "1"), headers("Foro-Version", each));
        assertTrue(Pattern.compile("foro-threads\\s+2\\s").matcher(each).find(), each);
        List<String> answers = Files.readAllLines(codes);
        assertTrue(answers.size() > 50, "too little load to mean anything: " + answers.size());
        assertEquals(List.of(), answers.stream().filter(code -> !code.equals("200")).toList());

        learner.run(lab.sections(7, 7));
      }
      assertEquals(idle, region.traces(), "left after the lab's last section");
    }
  }

  private static List<String> headers(String name, String output) {
    return Pattern.compile("(?im)^" + name + ": ([^\\r\\n]*)")
        .matcher(output)
        .results()
        .map(result -> result.group(1))
        .toList();
  }
}
