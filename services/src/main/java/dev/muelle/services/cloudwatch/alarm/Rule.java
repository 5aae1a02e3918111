package dev.muelle.services.cloudwatch.alarm;

import dev.muelle.services.cloudwatch.series.Refuse;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/**
 * The rule of a composite alarm, for example {@code ALARM(a) AND NOT (OK("b c") OR FALSE)}. NOT
 * binds closest, then AND, then OR. AWS advises to break a circle of alarms by the rule {@code
 * false}, so that is one, too.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html">PutCompositeAlarm,
 *     AlarmRule</a>
 */
sealed interface Rule {

  record Constant(boolean value) implements Rule {}

  /** An alarm, by name or ARN, is in a state. */
  record Is(StateValue state, String alarm) implements Rule {}

  record Not(Rule rule) implements Rule {}

  record And(Rule left, Rule right) implements Rule {}

  record Or(Rule left, Rule right) implements Rule {}

  /** Whether it is so, given the states of alarms; one that does not exist is in none. */
  default boolean holds(Function<String, @Nullable StateValue> states) {
    return switch (this) {
      case Constant constant -> constant.value();
      case Is is -> is.state() == states.apply(name(is.alarm()));
      case Not not -> !not.rule().holds(states);
      case And and -> and.left().holds(states) && and.right().holds(states);
      case Or or -> or.left().holds(states) || or.right().holds(states);
    };
  }

  /** The names of the alarms that it looks at. */
  default Set<String> alarms() {
    Set<String> names = new LinkedHashSet<>();
    collect(names);
    return names;
  }

  private void collect(Set<String> names) {
    switch (this) {
      case Constant _ -> {}
      case Is is -> names.add(name(is.alarm()));
      case Not not -> not.rule().collect(names);
      case And and -> {
        and.left().collect(names);
        and.right().collect(names);
      }
      case Or or -> {
        or.left().collect(names);
        or.right().collect(names);
      }
    }
  }

  /** The name in an ARN, or what it is. */
  static String name(String alarm) {
    int at = alarm.startsWith("arn:") ? alarm.indexOf(":alarm:") : -1;
    return at < 0 ? alarm : alarm.substring(at + ":alarm:".length());
  }

  /** Reads a rule; refuses what is none. */
  static Rule parse(String text) {
    return new Reader(text).read();
  }

  /** Reads one rule. */
  final class Reader {
    private static final int DEEPEST = 100;
    private static final Pattern TOKEN =
        Pattern.compile(
            "\\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\\s*\\(\\s*(?:\"((?:[^\"\\\\]|\\\\.)+)\"|'([^']+)'"
                + "|([^\"'()\\s][^()]*?))\\s*\\)|(AND|OR|NOT|TRUE|FALSE|true|false)(?![A-Za-z_])|([()]))");

    private final List<Object> tokens = new ArrayList<>();
    private int at;
    private int depth;

    Reader(String text) {
      Matcher matcher = TOKEN.matcher(text);
      int end = 0;
      while (matcher.region(end, text.length()).lookingAt()) {
        tokens.add(token(matcher));
        end = matcher.end();
      }
      if (!text.substring(end).isBlank() || tokens.isEmpty()) {
        throw wrong("AlarmRule is not valid at '" + text.substring(end).strip() + "'");
      }
    }

    private static Object token(Matcher matcher) {
      if (matcher.group(1) == null) {
        return matcher.group(5) == null ? matcher.group(6) : matcher.group(5);
      }
      String quoted = matcher.group(2);
      String name =
          quoted != null
              ? quoted.replaceAll("\\\\(.)", "$1")
              : matcher.group(3) != null ? matcher.group(3) : matcher.group(4);
      return new Is(StateValue.fromValue(matcher.group(1)), name);
    }

    Rule read() {
      Rule rule = or();
      if (at < tokens.size()) {
        throw wrong("AlarmRule is not valid at '" + tokens.get(at) + "'");
      }
      return rule;
    }

    private Rule or() {
      Rule left = and();
      while (is("OR")) {
        at++;
        left = new Or(left, and());
      }
      return left;
    }

    private Rule and() {
      Rule left = one();
      while (is("AND")) {
        at++;
        left = new And(left, one());
      }
      return left;
    }

    private Rule one() {
      if (at >= tokens.size() || ++depth > DEEPEST) {
        throw wrong("AlarmRule ends too early or is nested too deeply");
      }
      Object token = tokens.get(at++);
      Rule rule = token instanceof Is is ? is : word((String) token);
      depth--;
      return rule;
    }

    private Rule word(String token) {
      return switch (token) {
        case "TRUE", "true" -> new Constant(true);
        case "FALSE", "false" -> new Constant(false);
        case "NOT" -> new Not(one());
        case "(" -> {
          Rule inner = or();
          if (!is(")")) {
            throw wrong("A parenthesis of AlarmRule is not closed");
          }
          at++;
          yield inner;
        }
        default -> throw wrong("AlarmRule is not valid at '" + token + "'");
      };
    }

    private boolean is(String token) {
      return at < tokens.size() && tokens.get(at).equals(token);
    }

    private static RuntimeException wrong(String message) {
      return Refuse.validation(message + ".");
    }
  }
}
