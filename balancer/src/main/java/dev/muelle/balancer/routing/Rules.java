package dev.muelle.balancer.routing;

import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Condition.HostHeader;
import dev.muelle.balancer.rules.Condition.PathPattern;
import dev.muelle.balancer.rules.Regex;
import dev.muelle.balancer.rules.TextPattern;
import dev.muelle.balancer.rules.Wildcard;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A listener's rules, of which a request is held against those alone that could apply to it: a rule
 * is filed under how its path has to begin or how its host has to end, and a thousand rules cost a
 * request what a few do. Rules that ask for neither are tried with every request.
 */
public class Rules {

  /** So few are tried one after the other in less time. */
  private static final int FEW = 8;

  /** Every path begins with a slash: what is filed under less tells nothing apart. */
  private static final int SHORTEST = 2;

  private final List<Rule> rules;
  private final Literals beginnings = new Literals();
  private final Literals endings = new Literals();
  private final List<Integer> always = new ArrayList<>();

  public Rules(List<Rule> rules) {
    this.rules = rules;
    for (int i = 0; i < rules.size(); i++) {
      file(i);
    }
  }

  private void file(int rule) {
    List<String> paths = List.of();
    List<String> hosts = List.of();
    for (Condition condition : rules.get(rule).conditions()) {
      if (condition instanceof PathPattern path) {
        paths = better(paths, literals(path.patterns(), false));
      } else if (condition instanceof HostHeader host) {
        hosts = better(hosts, literals(host.patterns(), true));
      }
    }
    if (shortest(paths) >= Math.max(SHORTEST, shortest(hosts))) {
      paths.forEach(path -> beginnings.add(path, rule));
    } else if (shortest(hosts) >= SHORTEST) {
      hosts.forEach(host -> endings.add(host, rule));
    } else {
      always.add(rule);
    }
  }

  /** One of these a text has to begin or to end with; empty if there is one without any. */
  private static List<String> literals(List<? extends TextPattern> patterns, boolean end) {
    List<String> literals = new ArrayList<>();
    for (TextPattern pattern : patterns) {
      switch (pattern) {
        case Regex regex -> {
          return List.of();
        }
        case Wildcard wildcard -> literals.add(end ? wildcard.end() : wildcard.beginning());
      }
    }
    return literals;
  }

  private static List<String> better(List<String> one, List<String> other) {
    return shortest(other) > shortest(one) ? other : one;
  }

  private static int shortest(List<String> literals) {
    return literals.stream().mapToInt(String::length).min().orElse(0);
  }

  /** The first rule that applies to a request; null if none does. */
  public @Nullable Rule find(Condition.Facts facts) {
    int found = index(facts);
    return found < 0 ? null : rules.get(found);
  }

  /** How many rules there are. */
  public int size() {
    return rules.size();
  }

  public Rule get(int index) {
    return rules.get(index);
  }

  /** Where the first rule stands that applies to a request; -1 if none does. */
  public int index(Condition.Facts facts) {
    if (rules.size() <= FEW) {
      for (int i = 0; i < rules.size(); i++) {
        if (applies(rules.get(i), facts)) {
          return i;
        }
      }
      return -1;
    }
    Candidates candidates = new Candidates();
    always.forEach(candidates::add);
    beginnings.startOf(facts.path(), candidates);
    endings.endOf(facts.host().toLowerCase(Locale.ROOT), candidates);
    for (int rule : candidates.inOrder()) {
      if (applies(rules.get(rule), facts)) {
        return rule;
      }
    }
    return -1;
  }

  boolean applies(Rule rule, Condition.Facts facts) {
    for (Condition condition : rule.conditions()) {
      if (!condition.holds(facts)) {
        return false;
      }
    }
    return true;
  }

  /** Numbers of rules, some perhaps twice. */
  private static final class Candidates {
    private int[] numbers = new int[16];
    private int count;

    void add(int number) {
      if (count == numbers.length) {
        numbers = Arrays.copyOf(numbers, count * 2);
      }
      numbers[count++] = number;
    }

    int[] inOrder() {
      int[] all = Arrays.copyOf(numbers, count);
      Arrays.sort(all);
      return all;
    }
  }

  /** Rules by texts that others begin or end with. */
  private static final class Literals {
    private final Map<String, List<Integer>> rules = new HashMap<>();

    /** Of the texts. */
    private final BitSet lengths = new BitSet();

    void add(String literal, int rule) {
      rules.computeIfAbsent(literal, l -> new ArrayList<>()).add(rule);
      lengths.set(literal.length());
    }

    void startOf(String text, Candidates found) {
      for (int length = next(0); length <= text.length(); length = next(length + 1)) {
        rules.getOrDefault(text.substring(0, length), List.of()).forEach(found::add);
      }
    }

    void endOf(String text, Candidates found) {
      for (int length = next(0); length <= text.length(); length = next(length + 1)) {
        rules.getOrDefault(text.substring(text.length() - length), List.of()).forEach(found::add);
      }
    }

    private int next(int length) {
      int next = lengths.nextSetBit(length);
      return next < 0 ? Integer.MAX_VALUE : next;
    }
  }
}
