package dev.muelle.balancer.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Condition.Facts;
import dev.muelle.balancer.rules.Condition.HostHeader;
import dev.muelle.balancer.rules.Condition.PathPattern;
import dev.muelle.balancer.rules.Condition.RequestMethod;
import dev.muelle.balancer.rules.Regex;
import dev.muelle.balancer.rules.TextPattern;
import dev.muelle.balancer.rules.Wildcard;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Many rules: the right one is found, without holding a request against all. */
class ManyRulesTest {

  private static final String LETTERS = "ab/.*?A";

  private static String text(RandomGenerator random, String letters, int most) {
    StringBuilder text = new StringBuilder();
    for (int length = random.nextInt(most + 1); length > 0; length--) {
      text.append(letters.charAt(random.nextInt(letters.length())));
    }
    return text.toString();
  }

  private static List<TextPattern> patterns(
      RandomGenerator random, boolean host, String before, AtomicInteger regexes) {
    List<TextPattern> patterns = new ArrayList<>();
    for (int many = 1 + random.nextInt(2); many > 0; many--) {
      if (random.nextInt(10) == 0) {
        patterns.add(Regex.of("^" + before + "[ab]+$", host));
        regexes.incrementAndGet();
      } else {
        patterns.add(new Wildcard(before + text(random, LETTERS, 5), host));
      }
    }
    return patterns;
  }

  private static Rule rule(RandomGenerator random, int number, AtomicInteger regexes) {
    List<Condition> conditions = new ArrayList<>();
    while (conditions.isEmpty()) {
      if (random.nextBoolean()) {
        conditions.add(new PathPattern(patterns(random, false, "/", regexes)));
      }
      if (random.nextBoolean()) {
        conditions.add(new HostHeader(patterns(random, true, "", regexes)));
      }
      if (random.nextInt(4) == 0) {
        conditions.add(new RequestMethod(Set.of(random.nextBoolean() ? "GET" : "PUT")));
      }
    }
    return new Rule(conditions, new Action.FixedResponse(200, "text/plain", "" + number));
  }

  private static Facts facts(String method, String host, String path) {
    return new Facts(method, host, host, path, "", name -> List.of(), "192.0.2.1");
  }

  /** As the documentation says it: in the order of priority, the first of which all holds. */
  private static @Nullable Rule oneByOne(List<Rule> rules, Facts facts) {
    return rules.stream()
        .filter(rule -> rule.conditions().stream().allMatch(condition -> condition.holds(facts)))
        .findFirst()
        .orElse(null);
  }

  @Test
  void itFindsWhatTryingEachFinds() {
    AtomicInteger regexes = new AtomicInteger();
    int applied = 0;
    for (int seed = 0; seed < 300; seed++) {
      RandomGenerator random = new SplittableRandom(seed);
      List<Rule> rules =
          IntStream.range(0, 1 + random.nextInt(40))
              .mapToObj(i -> rule(random, i, regexes))
              .toList();
      Rules index = new Rules(rules);
      for (int request = 0; request < 40; request++) {
        Facts facts =
            facts(
                random.nextBoolean() ? "GET" : "PUT",
                text(random, "ab.A", 5),
                "/" + text(random, "ab/.A", 5));
        Rule expected = oneByOne(rules, facts);
        assertEquals(expected, index.find(facts), "seed " + seed + " " + facts);
        applied += Objects.isNull(expected) ? 0 : 1;
      }
    }
    assertTrue(applied > 1_000 && regexes.get() > 100, applied + " " + regexes);
  }

  @Test
  void aRequestIsHeldAgainstTheRulesThatCanApply() {
    List<Rule> rules =
        IntStream.range(0, 1_000)
            .mapToObj(i -> new Wildcard("/service-%04d/*".formatted(i), false))
            .map(path -> new Rule(List.of(new PathPattern(List.of(path))), new Action.Forward("g")))
            .toList();
    AtomicInteger looks = new AtomicInteger();
    Rules index =
        new Rules(rules) {
          @Override
          boolean applies(Rule rule, Facts facts) {
            looks.incrementAndGet();
            return super.applies(rule, facts);
          }
        };
    assertEquals(rules.get(567), index.find(facts("GET", "x", "/service-0567/a")));
    assertEquals(1, looks.get());
    assertEquals(null, index.find(facts("GET", "x", "/elsewhere")));
    assertEquals(1, looks.get());
  }
}
