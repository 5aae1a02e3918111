package dev.muelle.e2e;

import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A region for the tests of one class, and a shell that runs Fargate tasks in it. */
abstract class RegionTest {

  static TestRegion region;
  static FargateTasks tasks;
  static Session shell;

  @BeforeAll
  static void startRegion() throws IOException {
    region = TestRegion.start("");
    tasks = new FargateTasks(region);
    shell = tasks.shell();
  }

  /** Closing the region proves that nothing of it is left. */
  @AfterAll
  static void stopRegion() throws IOException {
    tasks.close();
    region.close();
  }
}
