package dev.muelle.services;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the user data of an instance does. Instances have no shell of their own yet, so it is read,
 * not run: a script may write the container agent's configuration with {@code echo} or {@code cat},
 * as the documentation shows it, and nothing else.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bootstrap_container_instance.html">Bootstrapping
 *     container instances</a>
 */
public final class UserData {

  private static final String FILE = "/etc/ecs/ecs.config";
  private static final Pattern ECHO =
      Pattern.compile("echo\\s+(?<escapes>-e\\s+)?(?<text>.*?)\\s*>>?\\s*" + FILE);
  private static final Pattern HERE =
      Pattern.compile(
          "cat\\s+(?:<<-?\\s*(?<a>\\S+)\\s*>>?\\s*"
              + FILE
              + "|>>?\\s*"
              + FILE
              + "\\s*<<-?\\s*(?<b>\\S+))");

  /** Whether the agent does not register as long as the instance is in a warm pool. */
  public static final String WARM_POOLS = "ECS_WARM_POOLS_CHECK";

  private static final Set<String> JSON =
      Set.of(
          "ECS_INSTANCE_ATTRIBUTES",
          "ECS_CONTAINER_INSTANCE_TAGS",
          "ECS_RESERVED_PORTS",
          "ECS_RESERVED_PORTS_UDP");
  private static final Set<String> VARIABLES =
      Set.of(
          "ECS_CLUSTER",
          "ECS_INSTANCE_ATTRIBUTES",
          "ECS_CONTAINER_INSTANCE_TAGS",
          "ECS_RESERVED_MEMORY",
          "ECS_RESERVED_PORTS",
          "ECS_RESERVED_PORTS_UDP",
          WARM_POOLS);
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private UserData() {}

  /** Thrown by name of the line that would have no effect. */
  public static final class NotRead extends Exception {
    private static final long serialVersionUID = 1L;

    private NotRead(String message) {
      super(message);
    }
  }

  /** The agent's variables, after a script has run; the last of several values counts. */
  public static Map<String, String> agentConfiguration(String script) throws NotRead {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String line : written(script)) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      int equals = line.indexOf('=');
      String name = equals < 0 ? line : line.substring(0, equals);
      String value = equals < 0 ? "" : line.substring(equals + 1);
      if (equals < 0 || !VARIABLES.contains(name)) {
        throw new NotRead("the agent's variable " + name + " has no effect");
      }
      if (JSON.contains(name)) {
        checkJson(name, value);
      }
      if (name.equals("ECS_RESERVED_MEMORY") && !value.matches("[0-9]{1,7}")) {
        throw new NotRead("the agent's variable " + name + " is no number: " + value);
      }
      if (name.equals(WARM_POOLS) && !value.matches("true|false")) {
        throw new NotRead("the agent's variable " + name + " is true or false, not " + value);
      }
      variables.put(name, value);
    }
    return variables;
  }

  private static void checkJson(String name, String value) throws NotRead {
    try {
      boolean list = name.startsWith("ECS_RESERVED_PORTS");
      JsonNode json = MAPPER.readTree(value);
      if (list ? json.isArray() : json.isObject()) {
        return;
      }
    } catch (JsonProcessingException e) {
      // Said below.
    }
    throw new NotRead("the agent's variable " + name + " is not the JSON it has to be: " + value);
  }

  /** The lines of the agent's configuration file. */
  private static List<String> written(String script) throws NotRead {
    List<String> lines = script.lines().toList();
    List<String> written = new ArrayList<>();
    if (script.isBlank()) {
      return written;
    }
    if (!lines.getFirst().matches("#!\\s*/(usr/)?bin/(env )?(ba)?sh.*")) {
      throw new NotRead("it has to be a shell script, whose first line is #!/bin/bash");
    }
    for (int i = 1; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      Matcher echo = ECHO.matcher(line);
      Matcher here = HERE.matcher(line);
      if (echo.matches()) {
        Optional<String> text = word(echo.group("text"));
        if (text.isEmpty()) {
          throw notRead(i, line);
        }
        String plain = text.get();
        written.addAll(
            (echo.group("escapes") == null ? plain : plain.replace("\\n", "\n")).lines().toList());
      } else if (here.matches()) {
        String word = here.group("a") == null ? here.group("b") : here.group("a");
        boolean quoted = word.matches("(['\"]).*\\1");
        String end = quoted ? word.substring(1, word.length() - 1) : word;
        for (i++; i < lines.size() && !lines.get(i).strip().equals(end); i++) {
          if (!quoted && expands(lines.get(i))) {
            throw notRead(i, lines.get(i));
          }
          written.add(lines.get(i).strip());
        }
      } else {
        throw notRead(i, line);
      }
    }
    return written;
  }

  private static NotRead notRead(int index, String line) {
    return new NotRead(
        "line "
            + (index + 1)
            + " ("
            + line
            + ") is not understood: a script may only write "
            + FILE
            + ", with echo or cat");
  }

  /** A shell's reading of one quoted or bare text; empty if a shell would do more with it. */
  private static Optional<String> word(String text) {
    if (text.length() >= 2 && text.matches("'[^']*'")) {
      return Optional.of(text.substring(1, text.length() - 1));
    }
    if (expands(text)) {
      return Optional.empty();
    }
    if (text.length() >= 2 && text.matches("\"([^\"\\\\]|\\\\.)*\"")) {
      return Optional.of(text.substring(1, text.length() - 1).replace("\\\"", "\""));
    }
    return text.matches("[^'\"|&;<>()\\\\]*") ? Optional.of(text) : Optional.empty();
  }

  private static boolean expands(String text) {
    return text.indexOf('$') >= 0 || text.indexOf('`') >= 0;
  }
}
