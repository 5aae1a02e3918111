package dev.muelle.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The commands of a lab's document: its {@code bash} blocks, by section. */
final class LabDocument {

  private final Map<String, List<String>> blocks = new LinkedHashMap<>();

  static LabDocument read(String name) throws IOException {
    LabDocument document = new LabDocument();
    Path file = Shell.HOME.resolve("docs/labs").resolve(name);
    String section = "";
    StringBuilder block = null;
    for (String line : Files.readAllLines(file)) {
      if (block != null) {
        if (line.equals("```")) {
          document.blocks.computeIfAbsent(section, s -> new ArrayList<>()).add(block.toString());
          block = null;
        } else {
          block.append(line).append('\n');
        }
      } else if (line.startsWith("## ")) {
        section = line.substring(3, line.indexOf('.'));
      } else if (line.equals("```bash")) {
        block = new StringBuilder();
      }
    }
    return document;
  }

  /** All commands of these sections, in the order of the document. */
  String sections(int from, int to) {
    StringBuilder script = new StringBuilder();
    for (int section = from; section <= to; section++) {
      blocks.getOrDefault(String.valueOf(section), List.of()).forEach(script::append);
    }
    return script.toString();
  }

  List<String> all() {
    return blocks.values().stream().flatMap(List::stream).toList();
  }
}
