package dev.muelle.region.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What programs of this machine are linked against, so that images can be made of them. */
final class SharedLibraries {

  private static final Pattern LIBRARY = Pattern.compile("(/\\S+\\.so[.0-9]*)");

  private SharedLibraries() {}

  /** As ldd(1) tells. */
  static Set<Path> of(Collection<Path> programs) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("ldd"));
    programs.forEach(program -> command.add(program.toString()));
    Process ldd = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(ldd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    ldd.waitFor();
    Set<Path> found = new TreeSet<>();
    Matcher matcher = LIBRARY.matcher(said);
    while (matcher.find()) {
      Path library = Path.of(matcher.group(1)).normalize();
      if (Files.exists(library)) {
        found.add(library);
      }
    }
    return found;
  }
}
