package dev.muelle.services.ecs.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TurnsTest {

  private final List<String> told = new ArrayList<>();
  private final Turns turns = new Turns(2, told::add);

  @Test
  void whoWaitsIsToldInTurn() {
    assertTrue(turns.take("a"));
    assertTrue(turns.take("a"));
    assertTrue(turns.take("b"));
    assertFalse(turns.take("c"));
    assertFalse(turns.take("d"));
    assertFalse(turns.take("c"));
    turns.pass("a");
    assertEquals(List.of("c"), told);
    assertTrue(turns.take("c"));
    assertFalse(turns.take("a"));
    turns.pass("b");
    turns.pass("c");
    assertEquals(List.of("c", "d", "a"), told);
  }

  @Test
  void whoNeverHadATurnCannotPassIt() {
    turns.take("a");
    turns.take("b");
    turns.take("c");
    turns.pass("c");
    turns.pass("x");
    assertEquals(List.of(), told);
    assertFalse(turns.take("d"));
  }

  /** One that was told, and needs its turn no more, passes it on. */
  @Test
  void aTurnIsNotLost() {
    turns.take("a");
    turns.take("b");
    turns.take("gone");
    turns.take("d");
    turns.pass("a");
    turns.pass("gone");
    assertEquals(List.of("gone", "d"), told);
    assertTrue(turns.take("d"));
  }
}
