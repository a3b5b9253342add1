-- CreateTable
CREATE TABLE "snapshot" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "snapshot_uid" TEXT NOT NULL,
    "project_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "vm_id" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "scheduled" BOOLEAN NOT NULL DEFAULT false,
    "spec" TEXT NOT NULL,
    "disk_bytes" BIGINT NOT NULL,
    "stored_bytes" BIGINT NOT NULL,
    "consistency" TEXT,
    "created_at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" DATETIME,
    CONSTRAINT "snapshot_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "snapshot_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "snapshot_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "snapshot_schedule" (
    "vm_id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "every" TEXT NOT NULL,
    "minute" INTEGER NOT NULL,
    "weekday" INTEGER NOT NULL,
    "keep" INTEGER NOT NULL,
    "next_at" DATETIME NOT NULL,
    CONSTRAINT "snapshot_schedule_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE UNIQUE INDEX "snapshot_snapshot_uid_key" ON "snapshot"("snapshot_uid");

-- CreateIndex
CREATE INDEX "snapshot_project_id_idx" ON "snapshot"("project_id");

-- CreateIndex
CREATE INDEX "snapshot_host_id_idx" ON "snapshot"("host_id");

-- CreateIndex
CREATE INDEX "snapshot_vm_id_idx" ON "snapshot"("vm_id");

-- CreateIndex
CREATE INDEX "snapshot_schedule_next_at_idx" ON "snapshot_schedule"("next_at");
