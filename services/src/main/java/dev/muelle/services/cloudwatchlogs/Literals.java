package dev.muelle.services.cloudwatchlogs;

import java.util.ArrayList;
import java.util.List;

/** Finds the texts that must be in whatever matches: a search looks for these first. */
final class Literals {

  private static final String CLASSES = "dDsSwWbBtn"; // and a backslash before them
  private static final String NUMBERS = "0123456789+-.eE";

  private Literals() {}

  /** Of a regular expression as {@link Expressions} takes them, without groups. */
  static List<String> of(String expression) {
    List<String> found = new ArrayList<>();
    StringBuilder run = new StringBuilder();
    int at = 0;
    while (at < expression.length()) {
      char one = expression.charAt(at++);
      switch (one) {
        case '|' -> {
          return List.of();
        }
        case '^', '$', '.' -> end(run, found);
        case '[' -> {
          end(run, found);
          int after = afterClass(expression, at);
          if (expression.substring(at, after).indexOf('[') >= 0) {
            return List.of(); // [:alpha:] and the like
          }
          at = after;
        }
        case '*', '?' -> {
          run.setLength(Math.max(0, run.length() - 1));
          end(run, found);
        }
        case '{' -> {
          int after = expression.indexOf('}', at) + 1;
          if (after == 0 || !Character.isDigit(expression.charAt(at))) {
            return List.of(); // it stands for itself
          }
          boolean none = expression.charAt(at) == '0';
          run.setLength(Math.max(0, run.length() - (none ? 1 : 0)));
          end(run, found);
          at = after;
        }
        case '+' -> end(run, found);
        case '\\' -> {
          char escaped = expression.charAt(at++);
          if (escaped == 'x') {
            run.append((char) Integer.parseInt(expression.substring(at, at + 2), 16));
            at += 2;
          } else if (CLASSES.indexOf(escaped) >= 0) {
            end(run, found);
          } else {
            run.append(escaped);
          }
        }
        default -> run.append(one);
      }
    }
    end(run, found);
    return found;
  }

  private static void end(StringBuilder run, List<String> found) {
    if (!run.isEmpty()) {
      found.add(run.toString());
      run.setLength(0);
    }
  }

  /** A bracket that comes first in a class belongs to it. */
  private static int afterClass(String expression, int begin) {
    int at = begin;
    if (at < expression.length() && expression.charAt(at) == '^') {
      at++;
    }
    int first = at;
    while (at < expression.length() && (expression.charAt(at) != ']' || at == first)) {
      at += expression.charAt(at) == '\\' ? 2 : 1;
    }
    return Math.min(at + 1, expression.length());
  }

  /**
   * What of a string's content stands in JSON as it is, unless it is escaped without need, as
   * {@code \}{@code u00…}. Parts that a number or a truth value could have are left out, for these
   * are compared as texts, too, and a number can be written in many ways.
   */
  static List<String> inJson(String content) {
    List<String> found = new ArrayList<>();
    StringBuilder run = new StringBuilder();
    for (int i = 0; i < content.length(); i++) {
      char one = content.charAt(i);
      if (isPlain(one)) {
        run.append(one);
      } else {
        end(run, found);
      }
    }
    end(run, found);
    found.removeIf(text ->
        "true".contains(text)
            || "false".contains(text)
            || text.chars().allMatch(one -> NUMBERS.indexOf(one) >= 0));
    return found;
  }

  /** Whether a text is written in JSON as it is, unless it is escaped without need. */
  static boolean isPlain(String text) {
    return text.chars().allMatch(one -> isPlain((char) one));
  }

  private static boolean isPlain(char one) {
    return one >= ' ' && one < 0x7f && one != '"' && one != '\\' && one != '/';
  }
}
