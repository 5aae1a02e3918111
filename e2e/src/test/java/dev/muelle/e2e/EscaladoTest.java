package dev.muelle.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tasks and instances follow the load, three alarms ring and end, nobody's request is lost: by the
 * very commands of the lab's document, in a region whose minutes take three seconds.
 */
@Timeout(1_500)
class EscaladoTest {

  private static final String DOCUMENT = "escalado.md";
  private static final Pattern ROW =
      Pattern.compile(
          "(?m)^\\d\\d:\\d\\d:\\d\\d +\\d+ +\\S+ +(\\d+)/(\\d+) +(\\d+) +(\\d+) +(\\d+) *(.*)$");

  /** A line of the table. */
  private record Row(
      int running, int desired, int instances, long answered, long failed, String ringing) {}

  private static List<Row> rows(String output) {
    List<Row> rows = new ArrayList<>();
    Matcher row = ROW.matcher(output);
    while (row.find()) {
      rows.add(
          new Row(
              Integer.parseInt(row.group(1)),
              Integer.parseInt(row.group(2)),
              Integer.parseInt(row.group(3)),
              Long.parseLong(row.group(4)),
              Long.parseLong(row.group(5)),
              row.group(6).trim()));
    }
    return rows;
  }

  @Test
  void theSpanishDocumentHasTheSameCommands() throws Exception {
    List<String> english = LabDocument.read(DOCUMENT).all();
    assertFalse(english.isEmpty());
    assertEquals(english, LabDocument.read("escalado.es.md").all());
  }

  @Test
  void tasksAndInstancesFollowTheLoad() throws Exception {
    LabDocument lab = LabDocument.read(DOCUMENT);
    try (TestRegion region = TestRegion.start("--speed 20")) {
      List<String> idle;
      try (Session learner = region.session()) {
        learner.run(lab.sections(0, 0));
        idle = region.traces();
        learner.run(lab.sections(1, 5));
        String story = learner.run(lab.sections(6, 6));

        List<Row> rows = rows(story);
        Row first = rows.getFirst();
        assertEquals(2, first.running(), story);
        assertEquals(1, first.instances(), story);
        assertTrue(rows.stream().anyMatch(row -> row.running() > 2), story);
        assertTrue(rows.stream().anyMatch(row -> row.instances() > 1), story);
        assertTrue(rows.stream().allMatch(row -> row.desired() <= 10), story);
        Row last = rows.getLast();
        assertEquals(2, last.running(), story);
        assertEquals(2, last.desired(), story);
        assertEquals(1, last.instances(), story);
        assertEquals("", last.ringing(), story);
        Set<String> told = new TreeSet<>();
        for (String alarm : List.of("cpu-memoria", "instancias", "destinos")) {
          told.add("escalado-" + alarm + " ALARM");
          told.add("escalado-" + alarm + " OK");
        }
        assertTrue(story.contains("Avisos recibidos: " + String.join(", ", told)), story);
        assertEquals(0, last.failed(), story);
        assertTrue(last.answered() > 200, "too little load to mean anything: " + story);
        assertTrue(story.contains("VEREDICTO: bien"), story);

        String written = learner.run(lab.sections(7, 7));
        assertTrue(written.contains("TargetTracking-service/escalado/escalado-AlarmHigh"), written);
        assertTrue(written.contains("Launching a new EC2 instance"), written);
        assertTrue(written.contains("Terminating EC2 instance"), written);
        learner.run(lab.sections(8, 8));
      }
      assertEquals(idle, region.traces(), "left after the lab's last section");
    }
  }
}
