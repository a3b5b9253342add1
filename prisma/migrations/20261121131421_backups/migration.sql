-- AlterTable
ALTER TABLE "host" ADD COLUMN "backup_target" TEXT;

-- CreateTable
CREATE TABLE "backup" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "backup_uid" TEXT NOT NULL,
    "host_id" INTEGER NOT NULL,
    "project_id" INTEGER,
    "vm_id" INTEGER,
    "vm_name" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "scheduled" BOOLEAN NOT NULL DEFAULT false,
    "spec" TEXT NOT NULL,
    "volumes" TEXT NOT NULL DEFAULT '[]',
    "bytes" BIGINT NOT NULL,
    "stored_bytes" BIGINT NOT NULL DEFAULT 0,
    "consistency" TEXT,
    "damaged" BOOLEAN NOT NULL DEFAULT false,
    "taken_at" DATETIME NOT NULL,
    "deleted_at" DATETIME,
    CONSTRAINT "backup_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "backup_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project" ("id") ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT "backup_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE RESTRICT ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "backup_plan" (
    "host_id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "every" TEXT NOT NULL,
    "minute" INTEGER NOT NULL,
    "weekday" INTEGER NOT NULL,
    "keep" INTEGER NOT NULL,
    "next_at" DATETIME NOT NULL,
    CONSTRAINT "backup_plan_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "vm_backup" (
    "vm_id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "excluded" BOOLEAN NOT NULL DEFAULT false,
    "due_at" DATETIME,
    "tried_at" DATETIME,
    "error" TEXT,
    CONSTRAINT "vm_backup_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE UNIQUE INDEX "backup_backup_uid_key" ON "backup"("backup_uid");

-- CreateIndex
CREATE INDEX "backup_host_id_idx" ON "backup"("host_id");

-- CreateIndex
CREATE INDEX "backup_project_id_idx" ON "backup"("project_id");

-- CreateIndex
CREATE INDEX "backup_vm_id_idx" ON "backup"("vm_id");

-- CreateIndex
CREATE INDEX "vm_backup_due_at_idx" ON "vm_backup"("due_at");
